package kongtest

import (
	"fmt"
	"regexp"
)

func keySets() *entity {
	return &entity{
		name: "key_sets", path: "key-sets", key: "name",
		unique: [][]string{{"name"}},
		fields: common(text("name")),
	}
}

func keys() *entity {
	pair := record("pem", text("private_key").hidden(), text("public_key"))
	pair.required = false

	return &entity{
		name: "keys", key: "name",
		unique: [][]string{{"name"}, {"kid", "set"}},
		fields: common(
			foreign("set", "key_sets").cascading(),
			text("name"),
			text("kid").must(),
			text("jwk").hidden(),
			pair,
		),
		inspect: inspectKey,
	}
}

func inspectKey(values map[string]any, updating bool, found violations) {
	if !isEmpty(values["jwk"]) && !isEmpty(values["pem"]) {
		found.entity("only one or none of these fields must be set: 'jwk', 'pem'")
	}
	found.atLeastOne(values, updating, "jwk", "pem")

	if pem, _ := values["pem"].(map[string]any); pem != nil && pem["private_key"] == nil && pem["public_key"] == nil {
		found.entity("need to supply a PEM formatted public and/or private key.")
	}

	text, given := values["jwk"].(string)
	if !given {
		return
	}
	switch key, refused := decodeJSON([]byte(text)); {
	case refused != nil:
		found.entity("could not json decode jwk string")
	case key["kid"] != values["kid"]:
		found.entity("kid in jwk.kid must be equal to keys.kid")
	}
}

var vaultPrefix = regexp.MustCompile(`^[a-z][a-z0-9-]*[a-z0-9]+$`)

// vaults are those of an open source Kong: secrets from the environment.
func vaults() *entity {
	const only = "env"

	return &entity{
		name: "vaults", key: "prefix",
		unique: [][]string{{"prefix"}},
		fields: common(
			text("prefix", func(prefix string) string {
				switch {
				case prefix == only:
					return "must not be one of: " + only
				case !vaultPrefix.MatchString(prefix):
					return "invalid value: " + prefix
				}

				return ""
			}).must(),
			text("name").must(),
			text("description"),
			record("config", text("prefix")),
		),
		refuse: func(values map[string]any) violations {
			if name, given := values["name"].(string); given && name != only {
				return violations{"name": fmt.Sprintf("vault '%s' is not installed", name)}
			}

			return nil
		},
	}
}
