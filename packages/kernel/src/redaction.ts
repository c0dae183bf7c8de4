/** What stands in the place of a secret. */
export const MASK = '***'

/**
 * Key names whose values are secrets wherever they appear. Matched on the name in lower case without `_`, `-`
 * and blanks, so `adminPass`, `admin_pass` and `X-Auth-Token` are all known.
 */
const SECRET_NAME =
  /^(?:.*(?:password|passwd|passphrase|secret|privatekey|authtoken|accesstoken|apikey|authkey|hmackey|credential|credentials)|.*pass|token|.*token|servicecatalog|userdata|cookie|setcookie|authorization|trustid|partialpasswordhash|passwordhash|keymaterial)$/

/** Names that end like a secret and are none. */
const HARMLESS_NAME = /^(?:bypass|compass)$/

/**
 * Whether a value under this key is to be kept from every output, log and error.
 *
 * @param key a property or header name in any spelling.
 */
export function isSecretKey(key: string): boolean {
  const name = key.toLowerCase().replaceAll(/[_\-\s]/g, '')
  return SECRET_NAME.test(name) && !HARMLESS_NAME.test(name)
}

/**
 * Scheme and what may hold credentials: up to the last `@` before the path, or, where a `/`, `?` or `#` of a
 * password was not encoded (`user:` is then followed by something that is no port), up to the last `@` of the word.
 * Both repetitions are bounded or end at the next `/`: texts come from tenants.
 */
const URL_CREDENTIALS =
  /\b([a-z][a-z0-9+.-]{0,30}:\/\/)([^/?#]*@|[^/?#\s:@[\]]+:(?!\d{1,5}(?:[/?#,]|$))[^\s"'<>]{0,500}@)/gi

/** `user:` or `host:` and the rest of one part of an authority that was split at commas. */
const USER_AND_REST = /^([^:@]*):(.*)$/s

/**
 * The text with the password of every URL in it masked; in lists of hosts (`u:p@h1,u:p@h2`) each one's. A
 * password may hold `@`, `:` and `,`. User names stay readable. Where the text can be read in two ways, too much is
 * masked rather than too little.
 */
export function maskUrlCredentials(text: string): string {
  const once = maskOnce(text)
  // A password may have held the '/' at which the search had ended; without it more belongs to the authority.
  return once === text ? once : maskOnce(once)
}

function maskOnce(text: string): string {
  return text.replaceAll(URL_CREDENTIALS, (_, scheme: string, authority: string) => {
    let masked = scheme
    let inPassword = false
    for (const [index, part] of authority.split(',').entries()) {
      const at = part.lastIndexOf('@')
      const [, user, rest] = USER_AND_REST.exec(part) ?? []
      if (inPassword) {
        // A comma of a password split it: all up to the '@' still belongs to it.
        inPassword = at < 0
        if (!inPassword) masked += part.slice(at)
        continue
      }
      if (index > 0) masked += ','
      if (user === undefined || rest === undefined || /^\d{1,5}$/.test(rest) || part.startsWith('[')) {
        masked += part
      } else {
        inPassword = at < 0
        masked += `${user}:${MASK}${inPassword ? '' : part.slice(at)}`
      }
    }
    return masked
  })
}

const MAX_DEPTH = 8

/**
 * A copy with every value under a secret-looking key masked and the passwords of URLs in texts masked.
 * Bounded in depth; an error becomes its message, a date its text, buffers and other class instances are named.
 */
export function redactSecrets(value: unknown, depth = 0): unknown {
  if (typeof value === 'string') return maskUrlCredentials(value)
  if (typeof value === 'function') return '<function>'
  if (typeof value !== 'object' || value === null) return value
  if (value instanceof Error) return maskUrlCredentials(value.message)
  if (value instanceof Date) return value.toJSON()
  if (ArrayBuffer.isView(value)) return `<${value.byteLength} bytes>`
  if (depth >= MAX_DEPTH) return '<deeper>'
  if (Array.isArray(value)) return value.map((item) => redactSecrets(item, depth + 1))
  if (!isRecord(value)) return `<${value.constructor.name}>`
  // fromEntries defines members, so that one called `__proto__` stays an ordinary one.
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [
      key,
      isSecretKey(key) && item !== null && item !== undefined ? MASK : redactSecrets(item, depth + 1),
    ]),
  )
}

function isRecord(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === null || prototype === Object.prototype || typeof value.constructor !== 'function'
}
