const TIMESTAMP =
  /^(\d{4}-\d{2}-\d{2})[T ](\d{2}:\d{2}:\d{2})(?:[.,](\d{1,9}))?\s?(?:Z|UTC|([+-])(\d{2}):?(\d{2}))?$/i

/**
 * A time as services write it, in ISO 8601 with `Z`; null for anything else. Digits after the second are kept as
 * they are, up to nine.
 *
 * Read are a `T` or a blank between date and time; `Z`, `+00:00`, `+0000`, other offsets, or nothing, which means
 * UTC.
 *
 * @source oslo.messaging `str(timeutils.utcnow())`: `YYYY-MM-DD HH:MM:SS.ffffff`, the fraction absent when zero
 */
export function toIsoTime(text: unknown): string | null {
  if (typeof text !== 'string' || text.length > 64) return null
  const match = TIMESTAMP.exec(text)
  if (match === null) return null
  const [, date, time, fraction, sign, hours, minutes] = match
  const utc = Date.parse(`${date}T${time}Z`)
  // 30 February: engines roll it over or refuse it; it is no date either way.
  if (Number.isNaN(utc) || !new Date(utc).toISOString().startsWith(`${date}T${time}`)) return null
  const digits = fraction === undefined ? '' : `.${fraction}`
  if (sign === undefined || (hours === '00' && minutes === '00')) return `${date}T${time}${digits}Z`
  const offsetMs = (Number(hours) * 60 + Number(minutes)) * 60_000 * (sign === '-' ? -1 : 1)
  const shifted = new Date(utc - offsetMs).toISOString()
  // Beyond the years 0 to 9999 ISO 8601 writes a sign and six digits.
  return /^\d{4}-/.test(shifted) ? `${shifted.slice(0, 19)}${digits}Z` : null
}
