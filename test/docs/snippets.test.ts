import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { blocks, documents, read, repository } from './markdown.ts'
import { PRELUDES } from './preludes.ts'

const folder = mkdtempSync(join(tmpdir(), 'hermod-snippets-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe('the TypeScript in the documents', () => {
  it('compiles, the blocks of each document as one program', () => {
    const files: string[] = []
    for (const path of documents()) {
      const code = blocks(read(path), 'ts')
      // Those of the README are programs of their own, which other tests run.
      if (code.length === 0 || path === 'README.md') continue
      const file = `${path.replaceAll('/', '-')}.ts`
      writeFileSync(join(folder, file), `${PRELUDES[path] ?? ''}${code.join('\n')}\nexport {}\n`)
      files.push(file)
    }
    expect(files.length).toBeGreaterThan(5)
    symlinkSync(join(repository, 'node_modules'), join(folder, 'node_modules'))
    writeFileSync(join(folder, 'package.json'), '{ "type": "module" }')
    const compilerOptions = {
      module: 'NodeNext',
      target: 'ES2023',
      strict: true,
      noEmit: true,
      types: ['node'],
      skipLibCheck: true,
    }
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, files }))
    const compiler = join(repository, 'node_modules/typescript/bin/tsc')
    const { stdout } = spawnSync(process.execPath, [compiler, '-p', folder], { encoding: 'utf8' })
    expect(stdout).toBe('')
  })
})
