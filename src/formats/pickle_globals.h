// formats/pickle_globals.h: the names of Python that a pickle may use, and what calling them makes.
//
//   const ValueId function = find_global(builder, "collections", "OrderedDict");   // throws for names not listed
//   const ValueId dict = call_global(builder, function, arguments);
#pragma once

#include "formats/pickle_builder.h"

namespace nunchi::formats {

// A function, or a dtype.
ValueId find_global(PickleBuilder& builder, std::string_view module, std::string_view name);

// What Python's function(*arguments) would give; `arguments` is a tuple.
ValueId call_global(PickleBuilder& builder, ValueId function, ValueId arguments);

// What object.__setstate__(state) would do: fields for a Namespace, nothing for the rest.
void set_state(PickleBuilder& builder, ValueId object, ValueId state);

// The storage that a persistent id stands for: ("storage", type, key, location, count[, part]).
ValueId find_storage(PickleBuilder& builder, ValueId persistent_id);

}  // namespace nunchi::formats
