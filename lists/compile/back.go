package compile

import (
	"paravent/lists/bundle"
	"paravent/lists/filter"
)

// Back takes a bundle apart into the list that it was compiled from: the Text
// of that is the canonical text, byte for byte. A reader that keeps bundles
// alone can so apply a difference between two texts.
func Back(b *bundle.Bundle) (*List, error) {
	list := &List{Sites: b.Sites(), Recipients: b.Recipients()}
	err := b.EachRule(func(kind bundle.Kind, r filter.Rule) error {
		list.Rules = append(list.Rules, bundle.KindedRule{Kind: kind, Rule: r})
		return nil
	})
	if err != nil {
		return nil, err
	}
	return list, nil
}
