import { html } from 'hono/html'
import { filmLengthText, type Magazine, type MagazineArticle, type MagazineSection } from './magazine.ts'

type Markup = ReturnType<typeof html>

/** `site` is the absolute address of the magazine, without a slash at the end. */
export type Page = { magazine: Magazine; site: string }

export function homePage({ magazine, site }: Page): Markup {
  const [lead, ...news] = section(magazine, 'latest').articles
  return layout(
    { magazine, site, title: `${magazine.name} – ${magazine.tagline}`, path: '/', description: magazine.tagline },
    html`
      <h1 class="hidden">${magazine.name}</h1>
      <section id="latest"><h2>Latest news</h2>
        ${lead && html`<article class="lead">${picture(lead)}<div>${teaser(lead, true)}</div></article>`}
        <div class="grid">${news.map((article) => html`<article>${picture(article)}${teaser(article)}</article>`)}</div>
      </section>
      <section id="last-word"><h2>Last word</h2>
        <div class="grid two">${section(magazine, 'last-word').articles.map(quote)}</div>
      </section>
      <section id="focus"><h2>Public sector focus</h2>
        <div class="lines">${section(magazine, 'focus').articles.map((article) => html`<article>${teaser(article, true)}</article>`)}</div>
      </section>
      <section id="tv"><h2>Civic Ledger TV</h2>
        <div class="grid">${section(magazine, 'tv').articles.map((article) => html`<article>${picture(article)}${teaser(article)}</article>`)}</div>
      </section>
      <section id="have-your-say" class="say"><h2>Have your say</h2>
        <p>Do you agree, disagree, or know something that we do not? Write to
        <a href="mailto:${magazine.contact}">${magazine.contact}</a>. We print the best letters every week.</p>
      </section>`,
  )
}

export function articlePage({ magazine, site }: Page, from: MagazineSection, article: MagazineArticle): Markup {
  const others = from.articles.filter(({ slug }) => slug !== article.slug).slice(0, 3)
  return layout(
    {
      magazine,
      site,
      title: `${article.title} – ${magazine.name}`,
      path: article.path,
      description: article.standfirst,
      article,
    },
    html`
      <article class="piece ${from.name}">
        <p class="kicker"><a href="/#${from.name}">${from.title}</a> · ${article.category}</p>
        <h1>${article.title}</h1>
        <p class="standfirst">${article.standfirst}</p>
        <p class="byline">By ${article.author}${article.role && `, ${article.role}`} · ${time(article)}</p>
        <figure>${image(article, true)}${article.seconds ? html`<figcaption>Film, ${filmLengthText(article.seconds)}. The demo has no film: its text is below.</figcaption>` : ''}</figure>
        ${article.body.map((paragraph) => html`<p>${paragraph}</p>`)}
      </article>
      <aside aria-labelledby="more"><h2 id="more">More from ${from.title}</h2>
        <div class="lines">${others.map((other) => html`<article>${teaser(other, true)}</article>`)}</div>
      </aside>`,
  )
}

export function missingPage({ magazine, site }: Page): Markup {
  return layout(
    { magazine, site, title: `Not found – ${magazine.name}`, path: '/', description: 'Page not found.' },
    html`<article class="piece"><h1>Page not found</h1><p><a href="/">Back to the front page</a></p></article>`,
  )
}

type Head = Page & { title: string; path: string; description: string; article?: MagazineArticle }

function layout({ magazine, site, title, path, description, article }: Head, main: Markup): Markup {
  return html`<!doctype html>
<html lang="en-GB">
<head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width">
  <meta name="color-scheme" content="light dark">
  <title>${title}</title>
  <meta name="description" content="${description}">
  <link rel="canonical" href="${site}${path}">
  <link rel="stylesheet" href="/magazine.css">
  ${magazine.sections.map((each) => html`<link rel="alternate" type="application/${each.name === 'last-word' ? 'atom' : 'rss'}+xml" title="${each.title}" href="${each.feed}">`)}
  <meta property="og:site_name" content="${magazine.name}">
  <meta property="og:title" content="${article?.title ?? magazine.name}">
  <meta property="og:description" content="${description}">
  <meta property="og:url" content="${site}${path}">
  <meta property="og:type" content="${article ? 'article' : 'website'}">
  ${article && openGraph(article, site)}
</head>
<body>
  <header><a class="name" href="/">${magazine.name}</a><span>${magazine.tagline}</span>
    <nav aria-label="Sections">${magazine.sections.map(({ name, title }) => html`<a href="/#${name}">${title}</a>`)}<a href="/#have-your-say">Have your say</a></nav>
  </header>
  <main>${main}</main>
  <footer><p>${magazine.name} is made up, and so is everyone in it: it is the demonstration of Lastword.
    Feeds: ${magazine.sections.map(({ feed, title }, index) => html`${index ? ', ' : ''}<a href="${feed}">${title}</a>`)}.</p></footer>
</body>
</html>`
}

function openGraph({ picture, publishedAt, author, category }: MagazineArticle, site: string): Markup {
  return html`<meta property="og:image" content="${site}${picture.path}">
  <meta property="og:image:alt" content="${picture.alt}">
  <meta property="og:image:width" content="${picture.width}">
  <meta property="og:image:height" content="${picture.height}">
  <meta property="article:published_time" content="${publishedAt}">
  <meta property="article:section" content="${category}">
  <meta name="author" content="${author}">`
}

function section(magazine: Magazine, name: MagazineSection['name']): MagazineSection {
  const found = magazine.sections.find((each) => each.name === name)
  if (!found) throw new Error(`the magazine has no section ${name}`)
  return found
}

function teaser(article: MagazineArticle, standfirst = false): Markup {
  return html`<p class="kicker">${article.category}</p><h3><a href="${article.path}">${article.title}</a></h3>
    ${standfirst && html`<p>${article.standfirst}</p>`}<p class="byline">${article.author} · ${time(article)}</p>`
}

function quote(article: MagazineArticle): Markup {
  return html`<article class="quote">${image(article)}<div><blockquote>“${article.standfirst}”</blockquote>
    <h3><a href="${article.path}">${article.title}</a></h3><p class="byline">${article.author}, ${article.role}</p></div></article>`
}

/** A linked picture, for the mouse only: the headline beside it has the same link. */
function picture(article: MagazineArticle): Markup {
  return html`<a class="picture" href="${article.path}" tabindex="-1" aria-hidden="true">${image({ ...article, picture: { ...article.picture, alt: '' } })}${article.seconds ? html`<span class="play">${filmLengthText(article.seconds)}</span>` : ''}</a>`
}

function image({ picture }: MagazineArticle, first = false): Markup {
  return html`<img src="${picture.path}" alt="${picture.alt}" width="${picture.width}" height="${picture.height}"${first ? '' : html` loading="lazy"`}>`
}

function time({ publishedAt }: MagazineArticle): Markup {
  const text = new Intl.DateTimeFormat('en-GB', { dateStyle: 'long', timeZone: 'Europe/London' })
  return html`<time datetime="${publishedAt}">${text.format(new Date(publishedAt))}</time>`
}
