import { fileURLToPath } from 'node:url'
import { findPython, type Availability } from '@hermod/testkit'

/** A Python with its own oslo.messaging. */
export interface OsloPython {
  readonly release: string
  /** The path of the interpreter. */
  readonly python: string
  readonly availability: Availability
}

function osloPython(release: string, python: string): OsloPython {
  return { release, python, availability: findPython(['oslo_messaging', 'kombu'], python) }
}

/** Debian's oslo.messaging, and the newest release, which `scripts/setup-services` installs. */
export const OSLO_PYTHONS: readonly OsloPython[] = [
  osloPython('14.0.3', '/usr/bin/python3'),
  osloPython('newest', fileURLToPath(new URL('../../.services/oslo-newest/bin/python', import.meta.url))),
]
