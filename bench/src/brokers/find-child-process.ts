import { readdirSync, readFileSync } from 'node:fs'

/**
 * The pid of a process that was started by this one and runs the program `name`, found in /proc; nothing
 * elsewhere than on Linux. A start script that becomes its program keeps its pid, so that direct children do.
 */
export function findChildProcess(name: string): number | undefined {
  for (const pid of processIds()) {
    const [command, parent] = commandAndParent(pid)
    if (command === name && parent === process.pid) return pid
  }
  return undefined
}

function processIds(): readonly number[] {
  try {
    return readdirSync('/proc').map(Number).filter(Number.isSafeInteger)
  } catch {
    return []
  }
}

function commandAndParent(pid: number): readonly [command: string, parent: number] | readonly [] {
  try {
    const [, command = '', parent] =
      /^\d+ \((.*)\) \S (\d+)/s.exec(readFileSync(`/proc/${pid}/stat`, 'utf8')) ?? []
    return [command, Number(parent)]
  } catch {
    return [] // it ended while we looked
  }
}
