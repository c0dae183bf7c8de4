/** The version of this package, as brokers show it; a test holds it equal to package.json. */
export const CLIENT_VERSION = '0.1.0'
