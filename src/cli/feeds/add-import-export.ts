import { readFile, writeFile } from 'node:fs/promises'
import type { Command } from 'commander'
import { type App, requireDigest, userAgentOf } from '../../app.ts'
import { type Config, readProcessConfig } from '../../config/config.ts'
import { describeReason } from '../../describe/describe.ts'
import type { Digest } from '../../editions/digest.ts'
import { addFeedsToJobFile, exampleFeeds, type FeedPlacement, jobFilePath } from '../../editions/jobs/add-feeds.ts'
import { readJobFolder } from '../../editions/jobs/read-folder.ts'
import { AppError, messageOf, systemCode } from '../../errors.ts'
import { discoverFeed } from '../../feeds/discover.ts'
import { type FeedFolder, type ListedFeed, writeOpml } from '../../feeds/opml.ts'
import { readInWorker } from '../../feeds/parse/reader-pool.ts'
import { openFetcher } from '../../http/fetcher.ts'
import { allFeeds, setTitlesUntilRead } from '../../store/feeds/feeds.ts'
import { systemClock } from '../../time/clock.ts'
import { reloadText } from '../checks/job-files.ts'
import { print, printStderr, sanitizeLine } from '../terminal/output.ts'
import { configFile, openStoreFor, withApp } from '../with-app.ts'
import { folderSections } from './folder-sections.ts'
import { allowHint } from './read-source.ts'

type FeedTarget = { digest?: string; section?: string }

/** `feeds add`, `feeds export` and `feeds import`. */
export function addFeedListCommands(feeds: Command): void {
  feeds
    .command('add')
    .description('find the feed of a site, print its articles, and add it to a section of a digest')
    .argument('<url>', 'the address of a feed, or of a page')
    .option('--digest <name>', 'the digest; if absent, only print the line to add')
    .option('--section <name>', 'the section of the digest')
    .action((url: string, where: FeedTarget, command: Command) =>
      addFeed(readProcessConfig(configFile(command)), url, where),
    )
  feeds
    .command('export')
    .description('write the feeds of all digests as OPML 2.0, with a folder for each section')
    .argument('[file]', 'the file; print if absent')
    .option('--digest <name>', 'only this digest')
    .option('--force', 'replace a file that exists')
    .action((file: string | undefined, options: ExportOptions, command: Command) =>
      withApp(command, (app) => exportFeeds(app, file, options)),
    )
  feeds
    .command('import')
    .description('add the feeds of an OPML file to a digest; folders are sections')
    .argument('<file>')
    .requiredOption('--digest <name>', 'the digest')
    .option('--section <name>', 'for feeds outside of folders; the first section if absent')
    .action((file: string, where: FeedTarget, command: Command) => importFeeds(command, file, where))
}

async function addFeed(config: Config, address: string, target: FeedTarget): Promise<void> {
  const place = target.digest === undefined ? undefined : targetSection(config, target.digest, target.section)
  const fetcher = openFetcher({ ...config.feeds, userAgent: userAgentOf(config) })
  const found = await discoverFeed(fetcher, address).finally(() => fetcher.close())
  if ('failed' in found) throw new AppError('missing', `${address}: ${found.failed}`, { hint: allowHint(found.failed) })
  const { url, feed, others } = found
  print(`${sanitizeLine(url)}: ${sanitizeLine(feed.title)}, ${feed.articles.length} articles`)
  for (const article of feed.articles)
    print(
      `  ${article.publishedAt ?? 'no date                 '}  ${sanitizeLine(article.title)}\n    ${sanitizeLine(article.url)}`,
    )
  for (const { reason } of feed.rejected) print(`  rejected: ${sanitizeLine(describeReason(reason))}`)
  for (const other of others) print(`  the page names another feed: ${sanitizeLine(other)}`)
  if (!place) {
    print(`To read it, add this line under "feeds:" of a section in ${config.jobs}:\n      - ${sanitizeLine(url)}`)
    return
  }
  const { digest, section } = place
  const [added] = addFeedsToJobFile(config, digest, [{ section, title: section, url }])
  const file = jobFilePath(config.jobs, digest.name)
  const line = `the section ${section} of ${file}`
  print(added ? `Added to ${line}. ${await reloadText(config)}` : `Nothing to do: it is already in ${line}.`)
  const samples = digest.sections.filter(({ name }) => name === section).flatMap(exampleFeeds)
  for (const sample of samples)
    printStderr(`${line} still lists the example ${sanitizeLine(sample)}: remove it from the file`)
}

function targetSection(config: Config, name: string, section: string | undefined): { digest: Digest; section: string } {
  const digest = requireDigest(readJobFolder(config.jobs, config.templates), name)
  const names = digest.sections.map((one) => one.name)
  const [only, ...others] = names
  if (section === undefined && only !== undefined && others.length === 0) return { digest, section: only }
  if (section !== undefined && names.includes(section)) return { digest, section }
  const problem = section === undefined ? 'it has several sections: name one' : `it has no section "${section}"`
  throw new AppError('missing', `${name}: ${problem}`, { hint: `Choose one: --section ${names.join(', --section ')}.` })
}

type ExportOptions = { digest?: string; force?: boolean }

async function exportFeeds(app: App, file: string | undefined, { digest: name, force }: ExportOptions): Promise<void> {
  const digests = name === undefined ? app.digests : [requireDigest(app, name)]
  const known = new Map((await allFeeds(app.db)).map((feed) => [feed.url, feed]))
  const folders = digests.map((digest) => ({ name: digest.title, feeds: [], folders: sectionFolders(digest) }))
  const [only] = folders
  const outer = folders.length === 1 && only ? only.folders : folders
  const text = writeOpml(app.config.publication.name, outer, app.clock.now())
  if (file === undefined) process.stdout.write(text)
  else await writeTextFile(file, text, force === true)

  function sectionFolders({ sections }: Digest): FeedFolder[] {
    return sections
      .filter(({ feeds }) => feeds.length > 0)
      .map(({ title, feeds }) => ({
        name: title,
        folders: [],
        feeds: feeds.map((url) => ({
          url,
          title: known.get(url)?.title ?? '',
          siteUrl: known.get(url)?.siteUrl ?? null,
        })),
      }))
  }
}

async function importFeeds(command: Command, file: string, target: FeedTarget): Promise<void> {
  const config = readProcessConfig(configFile(command))
  const digest = requireDigest(readJobFolder(config.jobs, config.templates), target.digest ?? '')
  const outline = await readInWorker('opml', await readBytes(file), null)
  if ('failed' in outline) throw new AppError('invalid', `${file}: ${outline.failed}`)
  const defaultSection = target.section ?? digest.sections[0]?.name ?? ''
  if (!digest.sections.some(({ name }) => name === defaultSection)) targetSection(config, digest.name, defaultSection)
  const placed = toPlaced(outline.feeds, digest, defaultSection)
  const added = addFeedsToJobFile(config, digest, placed)
  for (const { section, url } of added) print(`${section}  ${sanitizeLine(url)}`)
  for (const { what, reason } of outline.rejected) printStderr(`skipped: ${sanitizeLine(what)}: ${reason}`)
  const known = placed.length - added.length
  print(`${added.length} feeds added to ${digest.name}, ${known} already there, ${outline.rejected.length} skipped`)
  if (added.length === 0) return
  await saveFeedNames(command, config, outline.feeds)
  printStderr(await reloadText(config))
}

/** Until a feed is fetched, it is listed and exported with its name in the file. */
async function saveFeedNames(command: Command, config: Config, feeds: ListedFeed[]): Promise<void> {
  const named = new Map(feeds.filter(({ title }) => title !== '').map((feed) => [feed.url, feed]))
  try {
    const store = await openStoreFor(command, config)
    await setTitlesUntilRead(store.db, [...named.values()], systemClock.now()).finally(() => store.close())
  } catch (error) {
    if (!(error instanceof AppError)) throw error
    printStderr(`the names of the feeds are not kept: ${sanitizeLine(error.message)}`)
  }
}

async function readBytes(file: string): Promise<Uint8Array> {
  try {
    return await readFile(file)
  } catch (error) {
    throw new AppError('missing', `${file} cannot be read: ${messageOf(error)}`)
  }
}

/** A feed that lies in no folder belongs to the section `first`. */
function toPlaced(feeds: ListedFeed[], { sections }: Digest, defaultSection: string): FeedPlacement[] {
  const folders = feeds.flatMap(({ folder }) => folder ?? [])
  const sectionOf = folderSections(folders, sections)
  return feeds.map(({ folder, url }) =>
    folder === null
      ? { section: defaultSection, title: defaultSection, url }
      : { section: sectionOf(folder), title: folder, url },
  )
}

async function writeTextFile(path: string, content: string, mayReplace: boolean): Promise<void> {
  try {
    await writeFile(path, content, { flag: mayReplace ? 'w' : 'wx' })
  } catch (error) {
    if (systemCode(error) === 'EEXIST')
      throw new AppError('conflict', `${path} exists, and was not replaced`, { hint: 'To replace it, add --force.' })
    throw new AppError('unavailable', `${path} cannot be written: ${messageOf(error)}`)
  }
}
