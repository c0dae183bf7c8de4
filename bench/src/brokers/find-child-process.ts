import { readdirSync, readFileSync } from 'node:fs'

/**
 * The pids of processes that were started by this one and run the program `name`, found in /proc; nothing
 * elsewhere than on Linux. A start script that becomes its program keeps its pid, so that direct children do.
 */
export function findChildProcesses(name: string): readonly number[] {
  return processIds().filter((pid) => {
    const [command, parent] = commandAndParent(pid)
    return command === name && parent === process.pid
  })
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
