// What Jest loads outside of the tests: a test file that names it has a broker of its own, as the global `server`.
// It needs no flag: Node takes ES modules here by require(), from 20.19 on.
const { startTestBroker } = require('@hermod/testkit/test-broker')
const { TestEnvironment } = require('jest-environment-node')

module.exports = class BrokerEnvironment extends TestEnvironment {
  async setup() {
    await super.setup()
    this.global.server = await startTestBroker()
  }

  async teardown() {
    await this.global.server?.close()
    await super.teardown()
  }
}
