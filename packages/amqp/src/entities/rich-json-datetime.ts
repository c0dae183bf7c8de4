const DATE_TIME =
  /^(\d{4})-(\d\d)-(\d\d)[T ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,6}))?)?(?:Z|([+-])(\d\d):(\d\d)(?::\d\d(?:\.\d+)?)?)?$/

/**
 * A moment as Python's `datetime.isoformat()` writes it; without an offset it is taken for UTC.
 * @returns undefined when the text is none.
 */
export function parseIsoDateTime(text: string): Date | undefined {
  const match = DATE_TIME.exec(text)
  if (match === null) return undefined
  const [, year, month, day, hour, minute, second = '0', fraction = '0', sign, offsetHours, offsetMinutes] =
    match
  const date = new Date(0)
  date.setUTCFullYear(Number(year), Number(month) - 1, Number(day))
  // A 30th of February would have become a day in March.
  if (date.getUTCMonth() !== Number(month) - 1 || Number(year) === 0) return undefined
  if (Number(hour) > 23 || Number(minute) > 59 || Number(second) > 59) return undefined
  date.setUTCHours(Number(hour), Number(minute), Number(second), Number(fraction.padEnd(3, '0').slice(0, 3)))
  if (sign === undefined) return date
  if (Number(offsetHours) > 23 || Number(offsetMinutes) > 59) return undefined
  const offsetMs = (Number(offsetHours) * 60 + Number(offsetMinutes)) * 60_000
  return new Date(date.getTime() + (sign === '-' ? offsetMs : -offsetMs))
}

/**
 * A moment as every Python from 3.7 on reads it: with an offset, which is not `Z`.
 * @returns undefined for what Python has no `datetime` for: an invalid Date, and years before 1 or after 9999.
 */
export function formatIsoDateTime(date: Date): string | undefined {
  if (Number.isNaN(date.getTime())) return undefined
  const year = date.getUTCFullYear()
  if (year < 1 || year > 9999) return undefined
  return `${date.toISOString().slice(0, -1)}+00:00`
}
