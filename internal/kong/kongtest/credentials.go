package kongtest

import (
	"crypto/sha1" //nolint:gosec // it is what Kong stores of a password
	"encoding/hex"
	"encoding/pem"
	"math"
	"strings"
)

func consumers() *entity {
	return &entity{
		name:    "consumers",
		key:     "username",
		unique:  [][]string{{"username"}, {"custom_id"}},
		filters: []string{"custom_id"},
		fields:  common(text("username"), text("custom_id")),
		inspect: func(values map[string]any, updating bool, found violations) {
			found.atLeastOne(values, updating, "custom_id", "username")
		},
	}
}

// credential makes a collection whose rows belong to consumers. They have no time of change and go with their consumer.
func credential(name, path, below, key string, unique [][]string, fields ...field) *entity {
	owner := foreign("consumer", "consumers").must().cascading()

	return &entity{
		name: name, path: path, below: below, key: key,
		unique:      unique,
		createdOnly: true,
		fields: append([]field{
			text("id", uuidText),
			{name: "created_at", kind: numberKind},
			owner,
			list("tags", setKind, tag),
		}, fields...),
	}
}

func keyAuths() *entity {
	e := credential("keyauth_credentials", "key-auths", "key-auth", "key", [][]string{{"key"}},
		text("key").must().random().hidden(),
		integer("ttl", nil, 0, 100_000_000),
	)
	e.mortal = true
	e.present = func(s *Server, values map[string]any) map[string]any {
		shown := cloneMap(values)
		if r := s.store[e.name][reference(values)]; r != nil && !r.expires.IsZero() {
			shown["ttl"] = math.Floor(r.expires.Sub(s.now()).Seconds())
		}

		return shown
	}

	return e
}

func basicAuths() *entity {
	e := credential("basicauth_credentials", "basic-auths", "basic-auth", "username", [][]string{{"username"}},
		text("username").must(),
		text("password").must().hidden(),
	)
	e.digest = func(values, given map[string]any) {
		if password, ok := given["password"].(string); ok {
			sum := sha1.Sum([]byte(password + reference(values["consumer"]))) //nolint:gosec // see the import
			values["password"] = hex.EncodeToString(sum[:])
		}
	}

	return e
}

func hmacAuths() *entity {
	return credential("hmacauth_credentials", "hmac-auths", "hmac-auth", "username", [][]string{{"username"}},
		text("username").must(),
		text("secret").random().hidden(),
	)
}

func jwts() *entity {
	e := credential("jwt_secrets", "jwts", "jwt", "key", [][]string{{"key"}},
		text("key").random(),
		text("secret").random().hidden(),
		text("rsa_public_key"),
		text("algorithm", oneOf("HS256", "HS384", "HS512", "RS256", "RS384", "RS512", "ES256", "ES384", "ES512",
			"PS256", "PS384", "PS512", "EdDSA")).or("HS256"),
	)
	e.inspect = func(values map[string]any, _ bool, found violations) {
		algorithm, _ := values["algorithm"].(string)
		if strings.HasPrefix(algorithm, "HS") || found["algorithm"] != nil {
			return
		}

		if values["rsa_public_key"] == nil {
			found.conditional("algorithm", "rsa_public_key", "required field missing")
		} else if key, _ := values["rsa_public_key"].(string); notPEM(key) {
			found.conditional("algorithm", "rsa_public_key", "invalid key")
		}
	}

	return e
}

func notPEM(text string) bool {
	block, _ := pem.Decode([]byte(text))

	return block == nil
}

func acls() *entity {
	return credential("acls", "acls", "acls", "group", [][]string{{"consumer", "group"}}, text("group").must())
}

func oauth2s() *entity {
	uris := list("redirect_uris", arrayKind)

	return credential("oauth2_credentials", "oauth2", "oauth2", "client_id", [][]string{{"client_id"}},
		text("name").must(),
		text("client_id").random(),
		text("client_secret").random().hidden(),
		boolean("hash_secret", false).must(),
		uris,
		text("client_type", oneOf("confidential", "public")).must().or("confidential"),
	)
}
