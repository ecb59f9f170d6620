package testbed

import "syscall"

// Beside is a server that a test starts beside those of the bed, and that ends with it.
type Beside struct{ daemon *daemon }

// StartBeside starts a server. Its output goes to the file of its name in the bed's folder.
func (b *Bed) StartBeside(name string, argv ...string) (*Beside, error) {
	server, err := b.spawn(name, b.logFile(name), argv...)
	if err != nil {
		return nil, err
	}
	return &Beside{daemon: server}, nil
}

// Kill ends the server at once, as the loss of its machine would.
func (s *Beside) Kill() { s.daemon.kill() }

// Pause lets the server hold still, connections and all, until Resume.
func (s *Beside) Pause() { s.daemon.signal(syscall.SIGSTOP) }

// Resume lets a server go on that was paused.
func (s *Beside) Resume() { s.daemon.signal(syscall.SIGCONT) }

// LastWords returns the end of what the server printed.
func (s *Beside) LastWords() string { return tail(s.daemon.log, 30) }
