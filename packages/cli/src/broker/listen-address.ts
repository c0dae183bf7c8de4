/** Where a broker listens. */
export interface ListenAddress {
  readonly host: string
  readonly port: number
}

export const DEFAULT_ADDRESS: ListenAddress = { host: '127.0.0.1', port: 5672 }

/** Every address of this machine. */
const EVERYWHERE: readonly string[] = ['0.0.0.0', '::']

/** `HOST:PORT`, `[IPV6]:PORT` or a port alone, 0 for a free one; undefined for anything else. */
export function parseListenAddress(text: string): ListenAddress | undefined {
  const match = /^(?:(?:\[([0-9a-fA-F:.]+)\]|([\w.-]+)):)?(\d{1,5})$/.exec(text)
  if (match === null) return undefined
  const host = match[1] ?? match[2] ?? DEFAULT_ADDRESS.host
  const port = Number(match[3])
  return port <= 65_535 ? { host, port } : undefined
}

/** Whether none but this machine reaches an address. */
export function isLoopbackHost(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host)
}

/** The name under which others reach an address: that of the machine, where it is none in particular. */
export function reachableHost(host: string, machine: string): string {
  return EVERYWHERE.includes(host) ? machine : host
}
