package sqldb

import (
	"context"
	"sync"
)

// A memory is what one request has read.
type memory struct {
	mu    sync.Mutex
	known map[any]any
}

type memoryKey struct{}

// WithMemory returns a context of one request that only reads: what is asked with
// [Remembered] is read once for all parts of its answer, which then agree. It must
// not outlive the request, so that whatever is decided is seen by the next one.
func WithMemory(ctx context.Context) context.Context {
	return context.WithValue(ctx, memoryKey{}, &memory{known: map[any]any{}})
}

// Remembered answers as ask did before in the same request, or asks; outside of
// [WithMemory] it always asks. The question is a struct of a type of the caller's
// own, so that no two callers mean the same. What is returned must not be changed;
// errors are not kept.
func Remembered[T any](ctx context.Context, question any, ask func() (T, error)) (T, error) {
	m, ok := ctx.Value(memoryKey{}).(*memory)
	if !ok {
		return ask()
	}
	if known, ok := m.find(question); ok {
		return known.(T), nil
	}
	answer, err := ask()
	if err == nil {
		m.keep(question, answer)
	}
	return answer, err
}

func (m *memory) find(question any) (any, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	known, ok := m.known[question]
	return known, ok
}

func (m *memory) keep(question, answer any) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.known[question] = answer
}
