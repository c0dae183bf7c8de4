import { readFileSync } from 'node:fs'

/** The libraries that ours is compared with. */
export const LIBRARIES = [
  'amqplib',
  'amqp-connection-manager',
  'rabbitmq-client',
  '@cloudamqp/amqp-client',
] as const

export type Library = (typeof LIBRARIES)[number]

/** The version of a library that is installed here. */
export function versionOf(library: Library): string {
  const manifest = readFileSync(
    new URL(`../../node_modules/${library}/package.json`, import.meta.url),
    'utf8',
  )
  return (JSON.parse(manifest) as { readonly version: string }).version
}

/**
 * Checks what a library does. When it does something else than on the day of the comparison, the failure says what is
 * to be changed with it.
 */
export function documented(library: Library, check: () => void): void {
  try {
    check()
  } catch (cause) {
    const now = `${library} ${versionOf(library)} does not do any more what docs/comparison.md says of it`
    throw new Error(`${now}; look again, and change the page together with this test`, { cause })
  }
}
