package gateway

import "regexp"

// NamePattern is what names of routes and upstreams look like on every engine: Traefik does not tell case apart, takes
// a number for a position in a list and separates with "/" and "@"; Kong takes nothing beyond letters, digits and
// "-._~".
var NamePattern = regexp.MustCompile(`^[0-9._-]*[a-z][0-9a-z._-]*$`)

// NameRule says NamePattern in words, for a validator's message.
const NameRule = "must consist of lower-case letters, digits, '.', '_' and '-', with at least one letter"

// MaxName is the longest name, in characters.
const MaxName = 100
