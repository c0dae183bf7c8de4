import { rmSync } from 'node:fs'
import { eventually } from './eventually.ts'

/**
 * Removes a folder that something may still be writing to. Node's own `maxRetries` tries again to remove the folder,
 * but not what has come into it since.
 */
export async function removeFolder(folder: string): Promise<void> {
  await eventually(() => rmSync(folder, { recursive: true, force: true }))
}
