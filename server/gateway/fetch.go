package gateway

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	_ "image/gif" // for DecodeConfig, as the two below and x/image/webp
	_ "image/jpeg"
	_ "image/png"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	_ "golang.org/x/image/webp"
)

const (
	// MaxPicture is the largest picture, in bytes.
	MaxPicture = 8 << 20
	// MaxPixels is how many pixels a picture may have: 64 MB where it is shown.
	MaxPixels = 16 << 20
	// MaxRedirects is how many redirects one fetch follows.
	MaxRedirects = 2
	// MaxTime is how long one fetch may take with all its redirects.
	MaxTime = 10 * time.Second
)

// refusal is why no picture comes back. Its text goes to the client and the
// log: it names no address.
type refusal struct {
	status int
	text   string
}

func (r *refusal) Error() string { return r.text }

var (
	errUnreachable = &refusal{http.StatusBadGateway, "the photo host could not be reached"}
	errNotGlobal   = &refusal{http.StatusForbidden, "url: the host has no global address"}
	errTooLarge    = &refusal{http.StatusBadGateway, fmt.Sprintf("the photo host sent more than %d bytes", MaxPicture)}
	errCut         = &refusal{http.StatusBadGateway, "the photo host's answer ended early"}
	errNoPicture   = &refusal{http.StatusBadGateway, "the photo host sent no PNG, JPEG, GIF or WebP picture"}
	errManyPixels  = &refusal{http.StatusBadGateway, fmt.Sprintf("the photo host sent a picture of more than %d pixels", MaxPixels)}
)

// check says whether target may be fetched. It leaves target as it will be
// sent, and asks the rule about exactly that text, so that no two readings of
// an address can come apart.
func (g *gateway) check(target *url.URL) error {
	target.Fragment, target.RawFragment = "", ""
	host := target.Hostname()
	demo := g.DemoLoopback && isLocalhost(host)
	switch {
	case target.Scheme != "https" && !(demo && target.Scheme == "http"):
		return &refusal{http.StatusForbidden, "url: only https is fetched"}
	case target.User != nil:
		return &refusal{http.StatusForbidden, "url: carries a user name"}
	case !demo && target.Port() != "" && target.Port() != "443":
		return &refusal{http.StatusForbidden, "url: only port 443 is fetched"}
	case !isName(host):
		return &refusal{http.StatusForbidden, "url: the host is not a plain domain name in small letters"}
	case hasDots(target.Path):
		return &refusal{http.StatusForbidden, "url: the path has . or .. in it"}
	case !g.Allow(target.String()):
		return &refusal{http.StatusForbidden, "url: no photo rule of the list allows it"}
	}
	return nil
}

// isName says whether host is a domain name as browsers write it. No form of
// an IP address is one.
func isName(host string) bool {
	labels := strings.Split(host, ".")
	for _, label := range labels {
		if label == "" || len(label) > 63 || strings.Trim(label, "abcdefghijklmnopqrstuvwxyz0123456789-_") != "" {
			return false
		}
	}
	// A last label that is a number, decimal or hex, makes it an IPv4 address.
	last := labels[len(labels)-1]
	return len(labels) > 1 && len(host) <= 253 && (last[0] < '0' || last[0] > '9')
}

func isLocalhost(host string) bool { return strings.HasSuffix(host, ".localhost") }

// hasDots says whether a decoded path has a segment that a server may resolve.
func hasDots(path string) bool {
	for _, segment := range strings.FieldsFunc(path, func(r rune) bool { return r == '/' || r == '\\' }) {
		if segment == "." || segment == ".." {
			return true
		}
	}
	return false
}

// fetch gets a picture from a checked address.
func (g *gateway) fetch(ctx context.Context, target *url.URL) (picture, error) {
	for redirects := 0; ; redirects++ {
		response, err := g.get(ctx, target)
		if err != nil {
			return picture{}, err
		}
		switch response.StatusCode {
		case http.StatusOK:
			defer response.Body.Close()
			return readPicture(response)
		case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther, http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
			response.Body.Close()
			if redirects == MaxRedirects {
				return picture{}, &refusal{http.StatusBadGateway, fmt.Sprintf("the photo host redirects more than %d times", MaxRedirects)}
			}
			target, err = response.Location()
			if err != nil {
				return picture{}, &refusal{http.StatusBadGateway, "the photo host redirects to no address"}
			}
			if err := g.check(target); err != nil {
				return picture{}, &refusal{http.StatusBadGateway, "the photo host redirects elsewhere: " + err.Error()}
			}
		default:
			response.Body.Close()
			return picture{}, &refusal{http.StatusBadGateway, fmt.Sprintf("the photo host answered %d", response.StatusCode)}
		}
	}
}

// get sends one request, the same for whoever asks.
func (g *gateway) get(ctx context.Context, target *url.URL) (*http.Response, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, target.String(), nil)
	if err != nil {
		return nil, &refusal{http.StatusBadRequest, "url: is not an absolute address"}
	}
	request.Header.Set("User-Agent", "Paravent gateway")
	request.Header.Set("Accept", "image/webp,image/png,image/jpeg,image/gif")
	response, err := g.transport.RoundTrip(request)
	if notGlobal := (*addressError)(nil); errors.As(err, &notGlobal) {
		return nil, errNotGlobal
	}
	return response, err
}

func readPicture(response *http.Response) (picture, error) {
	if response.ContentLength > MaxPicture {
		return picture{}, errTooLarge
	}
	// With the size that the host names there is nothing to grow.
	data := bytes.NewBuffer(make([]byte, 0, max(response.ContentLength, 0)+bytes.MinRead))
	if _, err := data.ReadFrom(io.LimitReader(response.Body, MaxPicture+1)); err != nil {
		return picture{}, errCut
	}
	if data.Len() > MaxPicture {
		return picture{}, errTooLarge
	}
	return judge(data.Bytes())
}

// judge says what picture data is. It reads no more than a picture's head: a
// file of a few bytes can declare more pixels than a browser has memory for.
func judge(data []byte) (picture, error) {
	config, format, err := image.DecodeConfig(bytes.NewReader(data))
	contentType := "image/" + format
	if err != nil || !slices.Contains(contentTypes, contentType) {
		return picture{}, errNoPicture
	}
	if int64(config.Width)*int64(config.Height) > MaxPixels {
		return picture{}, errManyPixels
	}
	return picture{contentType, data}, nil
}
