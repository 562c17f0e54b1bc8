// nunchi/nunchi.h: everything that the installed library offers.
#pragma once

#include "core/memory.h"
#include "engine/model.h"
