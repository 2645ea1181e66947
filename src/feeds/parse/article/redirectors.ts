type Redirector = { host: RegExp; path: RegExp; parameter: string[] }

/** Addresses that name their target in a parameter, each with an example. The target is read, and never fetched for this. */
const redirectors: Redirector[] = [
  // Google Alerts and News: https://www.google.com/url?rct=j&sa=t&url=https://ledger.example/rules&ct=ga
  { host: /^(?:www|news)\.google\.[a-z.]{2,6}$/, path: /^\/(?:url|news\/url)$/, parameter: ['url', 'q'] },
  // Bing News: http://www.bing.com/news/apiclick.aspx?ref=FexRss&url=https%3a%2f%2fledger.example%2frules
  { host: /^(?:www\.)?bing\.com$/, path: /^\/news\/apiclick\.aspx$/, parameter: ['url'] },
  // Facebook and Instagram: https://l.facebook.com/l.php?u=https%3A%2F%2Fledger.example%2Frules&h=AT0
  { host: /^lm?\.(?:facebook|instagram)\.com$/, path: /^\/(?:l\.php)?$/, parameter: ['u'] },
  { host: /^(?:www\.)?facebook\.com$/, path: /^\/(?:l\.php|flx\/warn\/)$/, parameter: ['u'] },
  // Tumblr: https://t.umblr.com/redirect?z=https%3A%2F%2Fledger.example%2Frules&t=YzE
  { host: /^t\.umblr\.com$/, path: /^\/redirect$/, parameter: ['z'] },
  // YouTube: https://www.youtube.com/redirect?event=video_description&q=https%3A%2F%2Fledger.example
  { host: /^(?:www\.)?youtube\.com$/, path: /^\/redirect$/, parameter: ['q'] },
  // Reddit: https://out.reddit.com/t3_1abc?url=https%3A%2F%2Fledger.example%2Frules&token=AQAA
  { host: /^out\.reddit\.com$/, path: /^\//, parameter: ['url'] },
  // DuckDuckGo: https://duckduckgo.com/l/?uddg=https%3A%2F%2Fledger.example%2Frules
  { host: /^(?:www\.)?duckduckgo\.com$/, path: /^\/l\/?$/, parameter: ['uddg'] },
  // LinkedIn: https://www.linkedin.com/redir/redirect?url=https%3A%2F%2Fledger.example%2Frules
  { host: /^(?:www\.)?linkedin\.com$/, path: /^\/(?:redir\/redirect|safety\/go)$/, parameter: ['url'] },
  // VK: https://vk.com/away.php?to=https%3A%2F%2Fledger.example%2Frules
  { host: /^(?:m\.)?vk\.com$/, path: /^\/away(?:\.php)?$/, parameter: ['to'] },
  // Outlook: https://eur01.safelinks.protection.outlook.com/?url=https%3A%2F%2Fledger.example%2Frules&data=05
  { host: /\.safelinks\.protection\.outlook\.com$/, path: /^\/$/, parameter: ['url'] },
  // FeedBurner: https://feedproxy.google.com/~r/ledger/?url=https%3A%2F%2Fledger.example%2Frules
  { host: /^feedproxy\.google\.com$/, path: /^\//, parameter: ['url'] },
]

/** A redirector behind a redirector is the most that was seen. */
const maxSteps = 2

/**
 * The target of an address of a known redirector, else the address itself. A target that is not a whole http or https
 * address does not count.
 */
export function redirectorTarget(address: string): string {
  let target = address
  for (let step = 0; step < maxSteps; step++) target = targetOf(target) ?? target
  return target
}

function targetOf(address: string): string | null {
  const url = URL.parse(address)
  if (!url) return null
  const rule = redirectors.find(({ host, path }) => host.test(url.hostname) && path.test(url.pathname))
  const values = rule?.parameter.map((name) => url.searchParams.get(name)?.trim() ?? '') ?? []
  return values.find((value) => /^https?:\/\/[^/\s]/i.test(value) && URL.canParse(value)) ?? null
}
