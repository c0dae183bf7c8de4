import { ConfigurationError } from '@hermod/kernel'
import { keyName, OsloConf, sectionName, type ConfEntry } from './oslo-conf.ts'
import { readTextFile } from './text-file.ts'

/**
 * Reads a service's configuration file, for example `/etc/nova/nova.conf`.
 *
 * @throws {ConfigurationError} E_CONFIG when the file cannot be read or understood.
 */
export async function readConfFile(path: string): Promise<OsloConf> {
  return parseConf(await readTextFile(path), path)
}

/**
 * Reads oslo.config's dialect of ini files.
 *
 * `[section]` lines, `key = value` or `key: value` (whichever sign comes first), comments on lines of their own that
 * begin with `#` or `;`. A line that begins with a blank goes on with the value above it; an empty line or a
 * comment ends that value. One pair of equal quotes around the first line of a value is taken off. A repeated key
 * adds a value.
 *
 * @param source what errors call the text, mostly its path.
 * @throws {ConfigurationError} E_CONFIG with every line that fits no rule; by number, not by content.
 * @source oslo.config iniparser.py BaseParser, cfg.py ConfigParser
 */
export function parseConf(text: string, source = 'configuration'): OsloConf {
  const sections = new Map<string, Map<string, ConfEntry[]>>()
  const issues: string[] = []
  let section: Map<string, ConfEntry[]> | undefined
  let open: { key: string; line: number; parts: string[] } | undefined

  const flush = (): void => {
    if (open === undefined) return
    const { key, line, parts } = open
    open = undefined
    if (section === undefined) {
      issues.push(`${source}:${line}: an option before the first [section]`)
      return
    }
    const entries = section.get(key)
    const entry = { value: parts.join('\n'), line }
    if (entries === undefined) section.set(key, [entry])
    else entries.push(entry)
  }

  for (const [index, raw] of text
    .replace(/^\uFEFF/, '')
    .split(/\r\n|\r|\n/)
    .entries()) {
    const line = raw.trimEnd()
    const where = `${source}:${index + 1}`
    if (line.startsWith(' ') || line.startsWith('\t')) {
      if (open === undefined) issues.push(`${where}: a line that begins with a blank continues nothing`)
      else open.parts.push(line.trimStart())
      continue
    }
    flush()
    if (line === '' || line.startsWith('#') || line.startsWith(';')) continue
    if (line.startsWith('[')) {
      const name = line.slice(1, -1)
      if (!line.endsWith(']')) issues.push(`${where}: a section that does not end with ']'`)
      else if (name === '') issues.push(`${where}: a section without a name`)
      section = openSection(sections, sectionName(name))
      continue
    }
    const sign = line.search(/[:=]/)
    const key = keyName(line.slice(0, Math.max(0, sign)).trim())
    if (sign < 0) issues.push(`${where}: neither a [section] nor 'key = value'`)
    else if (key === '') issues.push(`${where}: a value without a key`)
    else open = { key, line: index + 1, parts: [unquote(line.slice(sign + 1).trim())] }
  }
  flush()
  if (issues.length > 0) throw new ConfigurationError(issues)
  return new OsloConf(source, sections)
}

function openSection(
  sections: Map<string, Map<string, ConfEntry[]>>,
  name: string,
): Map<string, ConfEntry[]> {
  const known = sections.get(name)
  if (known !== undefined) return known
  const section = new Map<string, ConfEntry[]>()
  sections.set(name, section)
  return section
}

function unquote(value: string): string {
  const quoted = /^["']/.test(value) && value.at(0) === value.at(-1)
  return quoted ? value.slice(1, -1) : value
}
