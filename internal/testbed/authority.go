package testbed

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

// Authority is a certificate authority of its own, for servers and clients of one test.
type Authority struct {
	folder      string
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
}

// NewAuthority makes an authority that keeps its files in the folder.
func NewAuthority(folder string) (*Authority, error) {
	a := &Authority{folder: folder}
	own := &x509.Certificate{
		Subject: pkix.Name{CommonName: "Authority of a test bed"}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	}
	der, key, err := a.sign(own)
	if err != nil {
		return nil, fmt.Errorf("make a certificate authority: %w", err)
	}
	if a.certificate, err = x509.ParseCertificate(der); err != nil {
		return nil, fmt.Errorf("make a certificate authority: %w", err)
	}
	a.key = key
	return a, writePEM(a.CAFile(), "CERTIFICATE", der)
}

// CAFile is the path of the authority's own certificate.
func (a *Authority) CAFile() string { return filepath.Join(a.folder, "ca.pem") }

// Issue makes a certificate for a server at the addresses, and for a client, and returns the paths of its files.
func (a *Authority) Issue(name string, addresses ...string) (certFile, keyFile string, err error) {
	leaf := &x509.Certificate{
		Subject: pkix.Name{CommonName: name}, DNSNames: []string{name}, KeyUsage: x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	for _, address := range addresses {
		leaf.IPAddresses = append(leaf.IPAddresses, net.ParseIP(address))
	}
	der, key, err := a.sign(leaf)
	if err != nil {
		return "", "", fmt.Errorf("issue a certificate for %s: %w", name, err)
	}
	secret, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return "", "", fmt.Errorf("issue a certificate for %s: %w", name, err)
	}
	certFile, keyFile = filepath.Join(a.folder, name+".pem"), filepath.Join(a.folder, name+"-key.pem")
	if err := writePEM(certFile, "CERTIFICATE", der); err != nil {
		return "", "", err
	}
	return certFile, keyFile, writePEM(keyFile, "EC PRIVATE KEY", secret)
}

// sign makes a key and the certificate of it, signed by the authority, or by itself if that has none yet.
func (a *Authority) sign(template *x509.Certificate) ([]byte, *ecdsa.PrivateKey, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	if template.SerialNumber, err = rand.Int(rand.Reader, big.NewInt(1<<62)); err != nil {
		return nil, nil, err
	}
	template.NotBefore, template.NotAfter = time.Now().Add(-time.Hour), time.Now().Add(24*time.Hour)
	parent, signer := a.certificate, a.key
	if parent == nil {
		parent, signer = template, key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, signer)
	return der, key, err
}

func writePEM(path, kind string, der []byte) error {
	return os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600)
}
