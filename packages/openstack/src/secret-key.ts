import { isSecretKey } from '@hermod/kernel'

/** Names of secrets that OpenStack's payloads hold beside those that are secret everywhere. */
const OPENSTACK_SECRET =
  /(?:tokenid|authtokeninfo|psk|passcode|(?:encryption|signing|session|secret|access|secretaccess|fernet|master)key)$|^(?:tokens|passwords|secrets|cookies)$/

/** How many verdicts are kept, and for names of what length: real payloads use a few hundred short ones. */
const MAX_VERDICTS = 4096
const MAX_NAME = 64

/** What a name means stands at its end; of an endless one no more is looked at. */
const LONGEST_NAME = 1024

const verdicts = new Map<string, boolean>()

/** Whether a value under this name is a secret, with the verdicts on common names kept: it is asked for every key. */
export function isSecretMember(given: string): boolean {
  const name = given.length > LONGEST_NAME ? given.slice(-LONGEST_NAME) : given
  const known = verdicts.get(name)
  if (known !== undefined) return known
  const verdict = isSecretKey(name) || OPENSTACK_SECRET.test(name.toLowerCase().replaceAll(/[_\-\s]/g, ''))
  if (name.length <= MAX_NAME && verdicts.size < MAX_VERDICTS) verdicts.set(name, verdict)
  return verdict
}
