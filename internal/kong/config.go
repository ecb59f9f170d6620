// Package kong configures a Kong gateway through its Admin API.
package kong

// Config says how Kong's Admin API is reached.
type Config struct {
	AdminURL string // "http://10.0.0.31:8001"
	Token    string // secret; sent as the Kong-Admin-Token header, empty for none
	CAFile   string // PEM bundle that the server's certificate is verified against, empty for the system's
}
