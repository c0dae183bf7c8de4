import type { BrokerLogin } from './broker-fixture.ts'

/** The URL with another user, password or virtual host. */
export function brokerUrl(url: string, { user, password, vhost }: BrokerLogin): string {
  const changed = new URL(url)
  if (user !== undefined) changed.username = encodeURIComponent(user)
  if (password !== undefined) changed.password = encodeURIComponent(password)
  if (vhost !== undefined) changed.pathname = `/${encodeURIComponent(vhost)}`
  return changed.href
}
