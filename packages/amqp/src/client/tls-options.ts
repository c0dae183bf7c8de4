/** How TLS is done. The chain and the host name are verified unless `rejectUnauthorized` is false. */
export interface TlsOptions {
  /** The authorities to trust instead of Node's own, PEM. */
  readonly ca?: string | Buffer | readonly (string | Buffer)[] | undefined
  /** The client's certificate, PEM. */
  readonly cert?: string | Buffer | undefined
  /** The client's private key, PEM. */
  readonly key?: string | Buffer | undefined
  readonly passphrase?: string | undefined
  /** The name to ask for and to verify; the host's own by default. */
  readonly serverName?: string | undefined
  /** `false` accepts any certificate. Default true. */
  readonly rejectUnauthorized?: boolean | undefined
}
