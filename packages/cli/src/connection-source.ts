import { ConfigurationError, InvalidUrlError } from '@hermod/kernel'
import { readTextFile } from '@hermod/messaging'
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
  const lines = (await readTextFile(source.path, '--url-file')).split(/\r?\n/).map((line) => line.trim())
  const urls = lines.filter((line) => line !== '' && !line.startsWith('#'))
  if (urls.length === 0)
    throw new ConfigurationError([`--url-file ${source.path} holds no URL; write one a line`])
  return urls
}

/** Says which URL was wrong, for there are several places to take it from. */
export async function fromOrigin<T>(source: ConnectionSource, work: () => T | Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof InvalidUrlError)) throw error
    throw new InvalidUrlError(`${originOf(source)}: ${error.message}`, { cause: error })
  }
}

function originOf(source: ConnectionSource): string {
  if (source.type === 'flag') return '--url'
  return source.type === 'environment' ? URL_VARIABLE : source.path
}
