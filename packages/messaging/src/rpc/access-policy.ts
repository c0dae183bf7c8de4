/**
 * Which methods of an endpoint may be called: `default` all whose names do not begin with `_`, `legacy` those too,
 * `explicit` only those on the endpoint's list of exposed ones. Where an endpoint has such a list, no policy goes
 * beyond it.
 *
 * @source oslo.messaging rpc/dispatcher.py DefaultRPCAccessPolicy, LegacyRPCAccessPolicy, ExplicitRPCAccessPolicy
 */
export type AccessPolicy = 'default' | 'legacy' | 'explicit'

/** All of them. */
export const ACCESS_POLICIES: readonly AccessPolicy[] = ['default', 'legacy', 'explicit']

/** @param exposed the endpoint's list; undefined where it has none. */
export function isAllowed(
  policy: AccessPolicy,
  method: string,
  exposed: readonly string[] | undefined,
): boolean {
  if (exposed !== undefined && !exposed.includes(method)) return false
  switch (policy) {
    case 'default':
      return !method.startsWith('_')
    case 'explicit':
      return exposed !== undefined
    case 'legacy':
      return true
  }
}
