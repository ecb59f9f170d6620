# Flattens the part of YAML that seeds are written in: "path<tab>value" for each scalar, list items by their number,
# such as "ethernets/lan/addresses/0<tab>10.0.0.1/24". In values a backslash, a newline and a tab are escaped for printf %b.
# Understood: block maps and lists, plain and quoted scalars, literal and folded blocks (| and >), one-line [lists] and {maps}.

function escape(text) { gsub(/\\/, "\\\\", text); gsub(/\n/, "\\n", text); gsub(/\t/, "\\t", text); return text }
function emit(path, text) { print path "\t" escape(text) }
function trim(text) { sub(/^[ \t]+/, "", text); sub(/[ \t]+$/, "", text); return text }

function scalar(text,  inner) {
	text = trim(text)
	if (text ~ /^'/) { inner = substr(text, 2); sub(/'[ \t]*(#.*)?$/, "", inner); gsub(/''/, "'", inner); return inner }
	if (text ~ /^"/) { inner = substr(text, 2); sub(/"[ \t]*(#.*)?$/, "", inner); return unquote(inner) }
	sub(/[ \t]+#.*$/, "", text)
	return text
}

function unquote(text,  out, c) {
	out = ""
	while (text != "") {
		c = substr(text, 1, 1); text = substr(text, 2)
		if (c == "\\") {
			c = substr(text, 1, 1); text = substr(text, 2)
			if (c == "n") c = "\n"; else if (c == "t") c = "\t"
		}
		out = out c
	}
	return out
}

# flow handles the inside of [a, b] and {k: v}.
function flow(path, text,  kind, i, c, quote, part, n) {
	kind = substr(text, 1, 1); text = substr(text, 2); sub(/[]}][ \t]*(#.*)?$/, "", text)
	n = 0; part = ""; quote = ""; text = text ","
	for (i = 1; i <= length(text); i++) {
		c = substr(text, i, 1)
		if (quote == "" && c == ",") {
			if (trim(part) != "") member(path, kind, part, n++)
			part = ""
			continue
		}
		if (c == quote) quote = ""; else if (quote == "" && (c == "\"" || c == "'")) quote = c
		part = part c
	}
}

function member(path, kind, part, n,  colon) {
	if (kind == "[") { emit(path "/" n, scalar(part)); return }
	colon = index(part, ": ")
	emit(path "/" scalar(substr(part, 1, colon - 1)), scalar(substr(part, colon + 1)))
}

function push(indent, kind, path) { depth++; at[depth] = indent; is[depth] = kind; name[depth] = path; items[path] = 0 }
function below(key) { return depth ? name[depth] "/" key : key }

function value(path, indent, text) {
	if (text ~ /^[|>][-+0-9]*[ \t]*(#.*)?$/) { block = path; style = text; outer = indent; inner = -1; body = ""; return }
	if (text ~ /^[[{]/) flow(path, text); else emit(path, scalar(text))
}

function parse(indent, text,  key, rest, parent) {
	if (text ~ /^-([ \t]|$)/) {
		# A list may stand at the same indentation as its key.
		while (depth && (at[depth] > indent || (at[depth] == indent && is[depth] == "item"))) depth--
		parent = depth ? name[depth] : ""
		push(indent, "item", below(items[parent]++))
		rest = substr(text, 2); match(rest, /^[ \t]*/)
		if (RLENGTH < length(rest)) parse(indent + 1 + RLENGTH, substr(rest, RLENGTH + 1))
		return
	}
	if (match(text, /^("[^"]*"|'[^']*'|[^"'[{#][^:]*):([ \t]|$)/)) {
		while (depth && at[depth] >= indent) depth--
		key = substr(text, 1, RLENGTH); sub(/:[ \t]*$/, "", key)
		rest = trim(substr(text, RLENGTH + 1))
		push(indent, "key", below(scalar(key)))
		if (rest != "" && rest !~ /^#/) value(name[depth], indent, rest)
		return
	}
	value(name[depth], indent - 1, text)
}

function finish() {
	if (style !~ /\+/) sub(/\n+$/, "\n", body)
	if (style ~ /-/) sub(/\n+$/, "", body)
	if (style ~ /^>/) { keep = body ~ /\n$/; gsub(/\n/, " ", body); sub(/ +$/, "", body); if (keep) body = body "\n" }
	emit(block, body)
	block = ""
}

{ sub(/\r$/, ""); match($0, /^ */); width = RLENGTH }

block != "" {
	if ($0 ~ /^[ \t]*$/) { body = body substr($0, inner + 1) "\n"; next }
	if (width > outer) {
		if (inner < 0) inner = width
		body = body substr($0, inner + 1) "\n"
		next
	}
	finish()
}

/^[ \t]*(#.*)?$/ || /^(---|\.\.\.)/ { next }
{ parse(width, substr($0, width + 1)) }
END { if (block != "") finish() }
