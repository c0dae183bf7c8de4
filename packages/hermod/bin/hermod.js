#!/usr/bin/env node
try {
  await (await import('../dist/command.js')).main()
} catch (error) {
  if (error?.code !== 'ERR_MODULE_NOT_FOUND' || !String(error.message).includes('dist/command.js'))
    throw error
  console.error('hermod: not built yet; run "npm run build" in the checkout first')
  process.exitCode = 70
}
