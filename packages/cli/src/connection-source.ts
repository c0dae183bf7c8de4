import { readFile } from 'node:fs/promises'
import { ConfigurationError, InvalidUrlError } from '@hermod/kernel'
import { URL_VARIABLE, type ConnectionSource } from './connection-flags.ts'

/**
 * The URLs that a source names; at least one.
 * @throws {ConfigurationError} E_CONFIG when a file cannot be read or holds none.
 */
export async function urlTexts(
  source: Exclude<ConnectionSource, { type: 'conf' }>,
): Promise<readonly string[]> {
  if (source.type === 'flag') return source.urls
  if (source.type === 'environment') return [source.url]
  const lines = (await readText('--url-file', source.path)).split(/\r?\n/).map((line) => line.trim())
  const urls = lines.filter((line) => line !== '' && !line.startsWith('#'))
  if (urls.length === 0)
    throw new ConfigurationError([`--url-file ${source.path} holds no URL; write one a line`])
  return urls
}

/** Says which URL was wrong, for there are several places to take it from. */
export function fromOrigin<T>(source: ConnectionSource, work: () => T): T {
  try {
    return work()
  } catch (error) {
    if (!(error instanceof InvalidUrlError)) throw error
    throw new InvalidUrlError(`${originOf(source)}: ${error.message}`, { cause: error })
  }
}

function originOf(source: ConnectionSource): string {
  if (source.type === 'flag') return '--url'
  return source.type === 'environment' ? URL_VARIABLE : source.path
}

/** @throws {ConfigurationError} E_CONFIG when it cannot be read. */
export async function readText(what: string, path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code ?? String(error)
    throw new ConfigurationError([`${what} ${path} cannot be read (${reason})`], { cause: error })
  }
}
