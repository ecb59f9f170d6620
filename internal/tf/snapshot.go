package tf

import (
	"context"
	"reflect"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
)

// Snapshot copies a model, so that StoreChanged can tell whether a read changed it.
func Snapshot[M any](model M) M {
	copied, _ := reflect.TypeAssert[M](snapshot(reflect.ValueOf(&model).Elem()))

	return copied
}

// snapshot copies what can be changed in place. The framework's values cannot.
func snapshot(of reflect.Value) reflect.Value {
	if of.Type().Implements(reflect.TypeFor[attr.Value]()) {
		return of
	}

	switch kind := of.Kind(); {
	case kind == reflect.Struct:
		made := reflect.New(of.Type()).Elem()
		made.Set(of)

		for i := range made.NumField() {
			if made.Field(i).CanSet() {
				made.Field(i).Set(snapshot(of.Field(i)))
			}
		}

		return made
	case kind == reflect.Pointer && !of.IsNil():
		made := reflect.New(of.Type().Elem())
		made.Elem().Set(snapshot(of.Elem()))

		return made
	case kind == reflect.Slice && !of.IsNil():
		made := reflect.MakeSlice(of.Type(), of.Len(), of.Len())
		for i := range of.Len() {
			made.Index(i).Set(snapshot(of.Index(i)))
		}

		return made
	case kind == reflect.Map && !of.IsNil():
		made := reflect.MakeMapWithSize(of.Type(), of.Len())
		for each := of.MapRange(); each.Next(); {
			made.SetMapIndex(each.Key(), snapshot(each.Value()))
		}

		return made
	default:
		return of
	}
}

// StoreChanged stores a model in the state that it was decoded from, if it is no more what it was before. Most reads change
// nothing, and storing costs the framework more than all the rest of them.
func StoreChanged[M any](ctx context.Context, state *tfsdk.State, before, after M) diag.Diagnostics {
	if reflect.DeepEqual(before, after) {
		return nil
	}

	return state.Set(ctx, after)
}
