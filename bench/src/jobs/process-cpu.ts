import { readFileSync } from 'node:fs'

/** Linux reports process times in ticks of 10 ms on every platform that Node supports. */
const TICKS_PER_SECOND = 100

/** User and system CPU seconds of another process, in steps of 10 ms; nothing where /proc cannot tell. */
export function processCpuSeconds(pid: number): number | undefined {
  let stat: string
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  } catch {
    return undefined
  }
  // The second field is the program's name in parentheses and may hold spaces; utime and stime are the
  // 14th and 15th.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND
}
