import { readFileSync, statSync } from 'node:fs'
import { userInfo } from 'node:os'
import { dirname } from 'node:path'

/** How to make a database file writable: the user, the owner, and the command. */
export function writeAccessHint(file: string): string {
  const uid = process.getuid?.()
  const owners = [dirname(file), file].map((path) => ownerOf(path))
  const other = owners.find((owner) => owner !== undefined && owner !== uid)
  if (uid === undefined || other === undefined) return writeAccessText(file)
  return writeAccessText(file, { owner: userName(other), user: userName(uid) })
}

/** `names`: the owner of the file or its folder, and the user of lastword, if they differ. */
export function writeAccessText(file: string, names?: { owner: string; user: string }): string {
  const folder = dirname(file)
  const needs = `The user that runs lastword needs to write to ${folder} and to ${file}.`
  if (!names) return needs
  const { owner, user } = names
  return `${needs} They belong to ${owner}, and lastword runs as ${user}: type sudo chown ${user} ${folder} ${file}*`
}

function ownerOf(path: string): number | undefined {
  return statSync(path, { throwIfNoEntry: false })?.uid
}

/** The name in passwd(5), which has the user's number in its third field; the number if there is none. */
function userName(uid: number): string {
  try {
    if (userInfo().uid === uid) return userInfo().username
    const fields = readFileSync('/etc/passwd', 'utf8')
      .split('\n')
      .map((line) => line.split(':'))
    return fields.find(([, , number]) => number === `${uid}`)?.[0] ?? `${uid}`
  } catch {
    return `${uid}`
  }
}
