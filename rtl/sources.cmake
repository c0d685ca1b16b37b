# SPDX-License-Identifier: Apache-2.0
# RTL sources in instantiation order, packages first. Each layer adds its own; a layer never lists one above it.
include(${CMAKE_CURRENT_LIST_DIR}/stream/sources.cmake OPTIONAL)
include(${CMAKE_CURRENT_LIST_DIR}/field/sources.cmake OPTIONAL)   # sets EPH_RTL_FIELD
include(${CMAKE_CURRENT_LIST_DIR}/engine/sources.cmake OPTIONAL)  # sets EPH_RTL_ENGINE (without field)
include(${CMAKE_CURRENT_LIST_DIR}/queue/sources.cmake OPTIONAL)   # sets EPH_RTL_QUEUE (without engine), EPH_RTL_TOP (everything)
