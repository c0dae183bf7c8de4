const UNIT_MS: Readonly<Record<string, number>> = {
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  D: 86_400_000,
  M: 30 * 86_400_000,
  Y: 365 * 86_400_000,
}

/**
 * An age such as `1800s` or `7D`, in ms; `undefined` for what is none.
 * @source rabbit_amqqueue:check_max_age
 */
export function parseAge(text: string): number | undefined {
  const [, digits = '', unit = ''] = /^(\d*)(.*)$/s.exec(text) ?? []
  const unitMs = Object.hasOwn(UNIT_MS, unit) ? UNIT_MS[unit] : undefined
  const value = Number(digits)
  return unitMs === undefined || !(value > 0) ? undefined : value * unitMs
}
