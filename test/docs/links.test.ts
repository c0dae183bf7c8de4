import { existsSync, readFileSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { documents, read, repository } from './markdown.ts'

const LINK = /\]\(([^)\s]+)\)/g
const FENCED = /^```.*?^```$/gms

/** The anchors that GitHub gives to the headings of a document. */
function anchors(text: string): readonly string[] {
  const headings = text.replaceAll(FENCED, '').matchAll(/^#{1,6} (.+)$/gm)
  return Array.from(headings, ([, heading]) =>
    (heading as string)
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(' ', '-'),
  )
}

function isBroken(from: string, link: string): boolean {
  const [path = '', anchor] = link.split('#')
  const target = path === '' ? join(repository, from) : join(repository, dirname(from), path)
  if (!existsSync(target)) return true
  if (anchor === undefined) return false
  return statSync(target).isDirectory() || !anchors(readFileSync(target, 'utf8')).includes(anchor)
}

describe('the documents', () => {
  it.each(documents())('link to what is there: %s', (path) => {
    const links = Array.from(read(path).replaceAll(FENCED, '').matchAll(LINK), ([, link]) => link as string)
    const local = links.filter((link) => !/^https?:/.test(link))
    expect(local.filter((link) => isBroken(path, link))).toEqual([])
  })
})
