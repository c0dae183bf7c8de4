import type { TlsOptions } from '@hermod/amqp'
import type { TlsFlags } from './connection-flags.ts'
import { readText } from './connection-source.ts'

/** Settings for TLS when any is given; the files are read here, so that a wrong path is told before connecting. */
export async function readTls({
  caFile,
  certFile,
  keyFile,
  serverName,
}: TlsFlags): Promise<TlsOptions | undefined> {
  if ([caFile, certFile, keyFile, serverName].every((value) => value === undefined)) return undefined
  return {
    ca: caFile === undefined ? undefined : await readText('the TLS authorities in', caFile),
    cert: certFile === undefined ? undefined : await readText('the TLS certificate in', certFile),
    key: keyFile === undefined ? undefined : await readText('the TLS key in', keyFile),
    serverName,
  }
}
