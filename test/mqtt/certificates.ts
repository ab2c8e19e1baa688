import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A certificate and its key, as PEM files. */
export interface Certificate {
  readonly certFile: string;
  readonly keyFile: string;
  readonly cert: Buffer;
  readonly key: Buffer;
}

/** A certificate authority of a test. */
export interface Authority extends Certificate {
  /** @param names as OpenSSL writes them: `DNS:localhost,IP:127.0.0.1` */
  issue(subject: string, names: string): Certificate;
}

export function createAuthority(): Authority {
  const folder = mkdtempSync(join(tmpdir(), 'cellstream-ca-'));
  const file = (name: string) => join(folder, name);
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  const openssl = (...words: string[]) => execFileSync('openssl', words, { stdio: 'pipe' });
  const read = (name: string): Certificate => {
    const [certFile, keyFile] = [file(`${name}.crt`), file(`${name}.key`)];
    return { certFile, keyFile, cert: readFileSync(certFile), key: readFileSync(keyFile) };
  };
  openssl(
    'req',
    '-x509',
    ...newKey,
    '-keyout',
    file('ca.key'),
    '-out',
    file('ca.crt'),
    '-subj',
    '/CN=test CA',
    '-days',
    '2',
  );
  return {
    ...read('ca'),
    issue(subject, names) {
      const request = [
        '-keyout',
        file(`${subject}.key`),
        '-out',
        file(`${subject}.csr`),
        '-subj',
        `/CN=${subject}`,
      ];
      openssl('req', ...newKey, ...request);
      writeFileSync(file('names'), `subjectAltName=${names}\n`);
      const signing = ['-CA', file('ca.crt'), '-CAkey', file('ca.key'), '-CAcreateserial', '-days', '2'];
      const output = ['-extfile', file('names'), '-out', file(`${subject}.crt`)];
      openssl('x509', '-req', '-in', file(`${subject}.csr`), ...signing, ...output);
      return read(subject);
    },
  };
}
