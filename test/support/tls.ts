import { readFileSync } from 'node:fs'
import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import { localhostCertificate } from '../../src/demo/localhost-tls.ts'

/** From now on this process trusts the certificate of `localhost` that servers of tests have. */
export function trustLocalhost(): void {
  setDefaultCACertificates([...getCACertificates('default'), readFileSync(localhostCertificate, 'utf8')])
}
