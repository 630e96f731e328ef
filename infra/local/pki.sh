#!/usr/bin/env bash
# Keys, certificates and kubeconfigs of the world, each made once: in a folder beside, then renamed, so that a half-made one is never used.
# A world that was made before one of them was thought of gets what it lacks.
# shellcheck source=infra/local/world.sh
source "$(dirname "${BASH_SOURCE[0]}")/world.sh"
umask 077
new=$PKI.new
rm -rf "$new"
mkdir -p "$new" "$PKI"
cp -a "$PKI/." "$new/"

# the certificate is written after its key: where it is, both are
there() { [ -s "$new/$1" ]; }
authority() { # name
  there "$1.crt" || openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 3650 -subj "/CN=$1" -keyout "$new/$1.key" -out "$new/$1.crt"
}
certificate() { # file, subject, authority, usage, names
  there "$1.crt" || openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "$2" -keyout "$new/$1.key" |
    openssl x509 -req -CA "$new/$3.crt" -CAkey "$new/$3.key" -days 3650 -out "$new/$1.crt" -extfile <(
      printf 'extendedKeyUsage=%s\nkeyUsage=critical,digitalSignature\n' "$4"
      [ -z "${5:-}" ] || printf 'subjectAltName=%s\n' "$5"
    )
}
embedded() { base64 -w0 <"$new/$1"; }
kubeconfig() { # user, subject
  certificate "$1" "$2" ca clientAuth
  there "$1.kubeconfig" || cat >"$new/$1.kubeconfig" <<YAML
apiVersion: v1
kind: Config
clusters: [{name: world, cluster: {server: "https://$GATEWAY_IP:6443", certificate-authority-data: $(embedded ca.crt)}}]
users: [{name: $1, user: {client-certificate-data: $(embedded "$1.crt"), client-key-data: $(embedded "$1.key")}}]
contexts: [{name: world, context: {cluster: world, user: $1}}]
current-context: world
YAML
}

# etcd trusts an authority of its own: a kubelet's certificate must not open the database
etcd() {
  authority etcd-ca
  certificate etcd /CN=etcd etcd-ca serverAuth,clientAuth DNS:localhost,IP:127.0.0.1
  certificate etcd-client /CN=kube-apiserver etcd-ca clientAuth
}
# who calls another API server behind its own says for whom by headers, and is believed for a certificate of this authority alone
aggregation() {
  authority front-proxy-ca
  certificate front-proxy /CN=front-proxy front-proxy-ca clientAuth
  certificate metrics-server-serving /CN=metrics-server ca serverAuth DNS:metrics-server.kube-system.svc
}
apiserver() {
  local names=DNS:localhost,DNS:kubernetes,DNS:kubernetes.default,DNS:kubernetes.default.svc,DNS:kubernetes.default.svc.cluster.local
  certificate apiserver /CN=kube-apiserver ca serverAuth "$names,IP:127.0.0.1,IP:$GATEWAY_IP,IP:$FIRST_SERVICE"
  certificate kubelet-client /O=system:masters/CN=kube-apiserver-kubelet-client ca clientAuth
  there sa.pub || openssl genrsa -out "$new/sa.key" 2048
  there sa.pub || openssl rsa -in "$new/sa.key" -pubout -out "$new/sa.pub"
}
# the engine believes an authority of its own too: who builds images is nobody in the cluster
engine() {
  authority docker-ca
  certificate dockerd /CN=dockerd docker-ca serverAuth "IP:$GATEWAY_IP"
  certificate docker-client /CN=plugin-pipeline docker-ca clientAuth
}
users() {
  kubeconfig admin /O=system:masters/CN=admin
  certificate kubelet-serving "/CN=$NODE" ca serverAuth "DNS:$NODE,IP:$GATEWAY_IP"
  kubeconfig kubelet "/O=system:nodes/CN=system:node:$NODE"
  local who
  for who in controller-manager scheduler; do kubeconfig "$who" "/CN=system:kube-$who"; done
  kubeconfig kube-proxy /CN=system:kube-proxy
  for who in coredns contour prometheus prefect-worker metrics-server; do kubeconfig "$who" "/CN=$who"; done
}

# the trap runs while the output still goes to the log: the sentence takes another way
exec 3>&2
trap '[ ! -d "$new" ] || fail "Certificates could not be made: $(tail -3 "$LOGS/pki.log")" 2>&3' EXIT
{ authority ca; etcd; apiserver; aggregation; engine; users; } >"$LOGS/pki.log" 2>&1
# keys first: whoever is stopped in between begins anew, since the certificate is what counts
for kind in key pub kubeconfig crt; do mv "$new"/*."$kind" "$PKI/"; done
rm -rf "$new"
