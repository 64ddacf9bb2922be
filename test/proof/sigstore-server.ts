import { createPublicKey, X509Certificate } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import type { Claims, TestSigstore } from "./sigstore.ts";

export type SigstoreServer = { readonly url: string; claims: Claims; close(): Promise<void> };

/** Fulcio (v2) and Rekor (v1) over HTTP on 127.0.0.1, as far as a signer asks them. What a real Fulcio reads from the token is `claims`. */
export async function serveSigstore(sigstore: TestSigstore, claims: Claims): Promise<SigstoreServer> {
  const server = createServer((req, res) => {
    void (async () => {
      const body = JSON.parse(await textOf(req)) as never;
      const answer = req.url === "/api/v2/signingCert" ? certificate(sigstore, served.claims, body) : entry(sigstore, body);
      res.writeHead(201, { "content-type": "application/json" }).end(JSON.stringify(answer));
    })();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const served = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    claims,
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
  return served;
}

async function textOf(req: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of req) parts.push(part as Buffer);
  return Buffer.concat(parts).toString("utf8");
}

function certificate(sigstore: TestSigstore, claims: Claims, body: { publicKeyRequest: { publicKey: { content: string } } }) {
  const key = createPublicKey(body.publicKeyRequest.publicKey.content);
  const leaf = new X509Certificate(sigstore.certify(key, claims, new Date())).toString();
  return { signedCertificateEmbeddedSct: { chain: { certificates: [leaf] } } };
}

function entry(sigstore: TestSigstore, body: { spec: { proposedContent: { envelope: string; verifiers: string[] } } }) {
  const { envelope, verifiers } = body.spec.proposedContent;
  const { payload, signatures } = JSON.parse(envelope) as { payload: string; signatures: { sig: string }[] };
  const leaf = new X509Certificate(Buffer.from(verifiers[0] ?? "", "base64")).raw;
  const made = sigstore.logged(Buffer.from(payload, "base64"), Buffer.from(signatures[0]?.sig ?? "", "base64"), leaf, new Date());
  const { inclusionProof: proof } = made;
  const hex = (text: string): string => Buffer.from(text, "base64").toString("hex");
  return {
    "24296fb24b8ad77a": {
      body: made.canonicalizedBody,
      integratedTime: Number(made.integratedTime),
      logIndex: 1,
      logID: hex(made.logId.keyId),
      verification: {
        inclusionProof: {
          logIndex: 1,
          treeSize: 2,
          rootHash: hex(proof.rootHash),
          hashes: proof.hashes.map(hex),
          checkpoint: proof.checkpoint.envelope,
        },
        signedEntryTimestamp: made.inclusionPromise.signedEntryTimestamp,
      },
    },
  };
}
