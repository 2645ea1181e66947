import { readFileSync } from 'node:fs'
import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import { localhostCertificate } from '../../src/demo/localhost-tls.ts'

/** From now on this process trusts the certificate of `localhost` that servers of tests have, until what it returns is called. */
export function trustLocalhost(): () => void {
  const before = getCACertificates('default')
  setDefaultCACertificates([...before, readFileSync(localhostCertificate, 'utf8')])
  return () => setDefaultCACertificates(before)
}
