// nunchi/nunchi.h: everything that the installed library offers.
#pragma once

#include "engine/model.h"
