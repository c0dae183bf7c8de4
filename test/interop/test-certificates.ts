import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** An authority made for one test, a server's certificate for `localhost`, and a client's. */
export interface TestCertificates extends Disposable {
  readonly caFile: string
  readonly serverCertFile: string
  readonly serverKeyFile: string
  readonly ca: string
  readonly clientCert: string
  readonly clientKey: string
}

/** Makes them with openssl; they are valid for a day and vanish with the test. */
export function makeCertificates(): TestCertificates {
  const folder = mkdtempSync(join(tmpdir(), 'hermod-certificates-'))
  const file = (name: string): string => join(folder, name)
  const openssl = (...args: string[]): void => {
    execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' })
  }
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']
  openssl(
    'req',
    '-x509',
    ...key,
    '-days',
    '1',
    '-subj',
    '/CN=Test authority',
    '-keyout',
    'ca.key',
    '-out',
    'ca.pem',
  )
  const issue = (name: string, extensions: string): void => {
    writeFileSync(file(`${name}.ext`), extensions)
    openssl('req', ...key, '-subj', `/CN=${name}`, '-keyout', `${name}.key`, '-out', `${name}.csr`)
    const signed = ['-in', `${name}.csr`, '-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial']
    openssl('x509', '-req', ...signed, '-days', '1', '-extfile', `${name}.ext`, '-out', `${name}.pem`)
  }
  issue('server', 'subjectAltName=DNS:localhost\nextendedKeyUsage=serverAuth\n')
  issue('client', 'extendedKeyUsage=clientAuth\n')
  return {
    caFile: file('ca.pem'),
    serverCertFile: file('server.pem'),
    serverKeyFile: file('server.key'),
    ca: readFileSync(file('ca.pem'), 'utf8'),
    clientCert: readFileSync(file('client.pem'), 'utf8'),
    clientKey: readFileSync(file('client.key'), 'utf8'),
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
  }
}
