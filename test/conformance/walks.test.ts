import { conformance } from './conformance.ts'
import { walks } from './scripts/walks.ts'

/** Before a release, more of them; a seed that fails shows it again. */
const count = Number(process.env['HERMOD_CONFORMANCE_WALKS'] ?? 4)
const firstSeed = Number(process.env['HERMOD_CONFORMANCE_SEED'] ?? 1)

conformance([walks(count, firstSeed)])
