/** The claims of a pod's service account in Kubernetes, without those that change from token to token. */
export function kubernetesClaims(): Record<string, unknown> {
  return {
    sub: "system:serviceaccount:acme:deploy",
    "kubernetes.io": {
      namespace: "acme",
      node: { name: "node-1", uid: "5d3f2b0e-0000-4000-8000-000000000001" },
      pod: { name: "deploy-x7k2p", uid: "5d3f2b0e-0000-4000-8000-000000000002" },
      serviceaccount: { name: "deploy", uid: "5d3f2b0e-0000-4000-8000-000000000003" },
    },
  };
}
