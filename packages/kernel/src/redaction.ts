/** What stands in the place of a secret. */
export const MASK = '***'

/**
 * Key names whose values are secrets wherever they appear. Matched on the name in lower case without `_`, `-`
 * and blanks, so `adminPass`, `admin_pass` and `X-Auth-Token` are all known.
 */
const SECRET_NAME =
  /^(?:.*(?:password|passwd|passphrase|secret|privatekey|authtoken|accesstoken|apikey|authkey|hmackey|credential|credentials)|.*pass|token|.*token|servicecatalog|userdata|cookie|setcookie|authorization|trustid|partialpasswordhash|passwordhash|keymaterial)$/

/** Names that end like a secret and are none. */
const HARMLESS_NAME = /^(?:bypass|compass|tokenid_count)$/

/**
 * Whether a value under this key is to be kept from every output, log and error.
 *
 * @param key a property or header name in any spelling.
 */
export function isSecretKey(key: string): boolean {
  const name = key.toLowerCase().replaceAll(/[_\-\s]/g, '')
  return SECRET_NAME.test(name) && !HARMLESS_NAME.test(name)
}

const URL_CREDENTIALS = /\b([a-z][a-z0-9+.-]*:\/\/)([^/?#]*)@/gi

/**
 * The text with the password of every URL in it masked; in lists of hosts (`u:p@h1,u:p@h2`) each one's.
 * A user name stays readable.
 */
export function maskUrlCredentials(text: string): string {
  return text.replaceAll(URL_CREDENTIALS, (_, scheme: string, authority: string) => {
    const hosts = `${authority}@`.split(',').map((part) => part.replace(/^([^:@]*):.*@/, `$1:${MASK}@`))
    return scheme + hosts.join(',')
  })
}

const MAX_DEPTH = 8

/**
 * A copy with every value under a secret-looking key masked and the passwords of URLs in texts masked.
 * Bounded in depth; buffers and class instances are named, not copied.
 */
export function redactSecrets(value: unknown, depth = 0): unknown {
  if (typeof value === 'string') return maskUrlCredentials(value)
  if (typeof value !== 'object' || value === null) return value
  if (value instanceof Error) return maskUrlCredentials(value.message)
  if (ArrayBuffer.isView(value)) return `<${value.byteLength} bytes>`
  if (depth >= MAX_DEPTH) return '<deeper>'
  if (Array.isArray(value)) return value.map((item) => redactSecrets(item, depth + 1))
  const copy: Record<string, unknown> = {}
  for (const [key, item] of Object.entries(value)) {
    copy[key] =
      isSecretKey(key) && item !== null && item !== undefined ? MASK : redactSecrets(item, depth + 1)
  }
  return copy
}
