import { lstat, mkdir } from 'node:fs/promises'
import { tmpdir, userInfo } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { ConfigurationError } from '@hermod/kernel'

/** Where a running broker is found. */
export interface BrokerFiles {
  readonly pidFile: string
  /** The socket by which it is asked and told. */
  readonly controlSocket: string
}

/** What the address of such a socket can hold. @source unix(7): sun_path, 104 bytes on some systems */
const LONGEST_SOCKET_PATH = 103

/**
 * The files of the broker that `--pid-file` names, else of the one broker of this user.
 *
 * @throws {ConfigurationError} E_CONFIG for a path that is too long for a socket.
 */
export function brokerFiles(
  pidFile: string | undefined,
  env: Readonly<Record<string, string | undefined>>,
): BrokerFiles {
  const path = resolve(pidFile ?? join(defaultFolder(env), 'broker.pid'))
  const controlSocket = `${path.replace(/\.pid$/, '')}.sock`
  if (Buffer.byteLength(controlSocket) > LONGEST_SOCKET_PATH)
    throw new ConfigurationError([
      `${controlSocket} is too long for a socket (${LONGEST_SOCKET_PATH} bytes); give a --pid-file with a shorter path`,
    ])
  return { pidFile: path, controlSocket }
}

/**
 * Makes the default folder where it is not there, for this user alone.
 *
 * @throws {ConfigurationError} E_CONFIG where it is somebody else's: what is in /tmp may have been put there by anybody.
 */
export async function prepareFolder(
  { pidFile }: BrokerFiles,
  env: Readonly<Record<string, string | undefined>>,
): Promise<void> {
  const folder = dirname(pidFile)
  if (folder !== resolve(defaultFolder(env))) return
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const facts = await lstat(folder)
  const isOurs = facts.isDirectory() && facts.uid === userInfo().uid && (facts.mode & 0o022) === 0
  if (process.platform !== 'win32' && !isOurs)
    throw new ConfigurationError([
      `${folder} is not a folder of this user alone; remove it, or give --pid-file`,
    ])
}

function defaultFolder(env: Readonly<Record<string, string | undefined>>): string {
  const runtime = env['XDG_RUNTIME_DIR'] ?? ''
  return runtime.startsWith('/') ? join(runtime, 'hermod') : join(tmpdir(), `hermod-${userInfo().uid}`)
}
