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

/** What a test says when a library does not behave as it did when the comparison was written. */
export function asDocumented(library: Library): string {
  return `${library} ${versionOf(library)} does not do any more what docs/comparison.md says of it; look again, and change the page and this test`
}
