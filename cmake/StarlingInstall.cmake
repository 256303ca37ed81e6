# `cmake --install`: the program, the library, and what find_package(Starling) needs.
include(CMakePackageConfigHelpers)

set(package_folder ${CMAKE_INSTALL_LIBDIR}/cmake/Starling)
install(TARGETS starling_program)
install(TARGETS starling EXPORT StarlingTargets)
install(DIRECTORY src/starling DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN "*.hpp")
install(DIRECTORY ${CMAKE_BINARY_DIR}/src/generated/starling
        DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(EXPORT StarlingTargets NAMESPACE Starling:: DESTINATION ${package_folder})
configure_package_config_file(cmake/StarlingConfig.cmake.in StarlingConfig.cmake
                              INSTALL_DESTINATION ${package_folder})
write_basic_package_version_file(StarlingConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_BINARY_DIR}/StarlingConfig.cmake
              ${CMAKE_BINARY_DIR}/StarlingConfigVersion.cmake
        DESTINATION ${package_folder})
